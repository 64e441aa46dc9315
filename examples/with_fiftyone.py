"""Add masks and saliency to the samples of a FiftyOne dataset, by a service: `python with_fiftyone.py FOLDER`."""

import sys

import fiftyone as fo
from extremal_client import Client


def explain_dataset(dataset: fo.Dataset, client: Client, **params) -> None:
    """Give each sample its saliency and masks (heatmaps), its class and a*, or the problem with its image."""
    for done in client.batch([sample.filepath for sample in dataset], **params):
        sample = dataset[done.image]
        if done.error is not None:
            sample["problem"] = str(done.error)
        else:
            result = done.result
            sample["explained_class"] = fo.Classification(label=result.target.label)
            sample["optimal_area"] = result.optimal_area
            sample["saliency"] = fo.Heatmap(map=result.saliency.array())
            for area, mask in result.masks.items():
                sample[f"mask_{round(100 * area)}"] = fo.Heatmap(map=mask.array())
        sample.save()


if __name__ == "__main__":
    photographs = fo.Dataset.from_images_dir(sys.argv[1])
    with Client() as service:
        explain_dataset(photographs, service, areas=[0.1, 0.3])
    fo.launch_app(photographs).wait()
