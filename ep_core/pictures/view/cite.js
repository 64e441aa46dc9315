// How to cite the paper, this software, and what a result was made with.

import { copier } from "./copy.js";
import { el } from "./dom.js";
import { quoted } from "./words.js";

const PAPER =
  "R. Fong, M. Patrick and A. Vedaldi. Understanding Deep Networks via Extremal Perturbations and Smooth Masks. " +
  "IEEE/CVF International Conference on Computer Vision (ICCV), 2019. arXiv:1910.08485.";
const UNTOLD = ["task", "model", "target"]; // said by themselves
const DIGEST = 12; // hexadecimal digits of the weights' digest that tell them from others

/** Return the text that cites a result: the paper, the software's version, and the model and the parameters as they were run. */
export function citation({ params, model, engine, target }) {
  const settings = Object.entries(params).filter(([name, value]) => !UNTOLD.includes(name) && value !== null);
  const weights = model.weights_digest.slice(0, "sha256:".length + DIGEST);
  const made = [`task ${params.task}`, `model ${model.name} (weights ${weights})`];
  if (target) made.push(`target ${quoted({ target })}`);
  return [
    PAPER,
    `Computed by extremal-perturbations ${engine.version} (PyTorch ${engine.torch}, ${engine.device}): ${
      made.join(", ")
    }; ${settings.map(([name, value]) => `${name} ${written(value)}`).join(", ")}.`,
    bibtex(engine),
  ].join("\n\n");
}

/** Return the citation of a result, to be opened and copied. */
export function howToCite(result) {
  const { button, said, code } = copier();
  const text = citation(result);
  code.hidden = false;
  code.textContent = text;
  return el(
    "details",
    {},
    el("summary", {}, "How to cite"),
    el("div.stack", {}, el("div.row", {}, button("Copy citation", text), said), code),
  );
}

const written = (value) =>
  Array.isArray(value)
    ? value.map(written).join(" ")
    : typeof value === "object"
    ? JSON.stringify(value)
    : String(value);

const bibtex = ({ version }) =>
  `@inproceedings{fong2019extremal,
  title = {Understanding Deep Networks via Extremal Perturbations and Smooth Masks},
  author = {Fong, Ruth and Patrick, Mandela and Vedaldi, Andrea},
  booktitle = {Proceedings of the IEEE/CVF International Conference on Computer Vision (ICCV)},
  year = {2019}
}

@software{extremal_perturbations,
  title = {Extremal perturbations as a REST service, a command and a Python library},
  author = {{The contributors of extremal-perturbations}},
  version = {${version}}
}`;
