// Multipart forms of posts.

import type { ClassifyOptions, JobOptions } from "./generated/schemas.ts";
import { asFile, type GivenFile, type GivenImage, isAddress, nameOf } from "./images.ts";

/** Arguments that say how a job is handled; all others are its parameters. */
const OPTIONS: Record<keyof JobOptions, true> = {
  target_image: true,
  target_mask: true,
  priority: true,
  reuse: true,
  keep_images: true,
  keep_metadata: true,
  webhook: true,
};

/** Return the form of a job: its images, its parameters as JSON, its options as parts of their own. */
export function jobForm(task: string, images: readonly GivenImage[], asked: object): FormData {
  const form = new FormData();
  for (const image of images) appendImage(form, image);
  const given = Object.entries(asked);
  const params = Object.fromEntries(given.filter(([name]) => !(name in OPTIONS)));
  form.append("params", JSON.stringify({ task, ...params }));
  appendOptions(form, given.filter(([name]) => name in OPTIONS));
  return form;
}

/** Return the form of a classification. */
export function classifyForm(image: GivenImage, asked: ClassifyOptions): FormData {
  const form = new FormData();
  appendImage(form, image);
  appendOptions(form, Object.entries(asked));
  return form;
}

function appendImage(form: FormData, image: GivenImage): void {
  if (isAddress(image)) form.append("image_url", String(image));
  else form.append("image", asFile(image), nameOf(image));
}

function appendOptions(form: FormData, options: [string, unknown][]): void {
  for (const [name, value] of options) {
    if (value == null) continue;
    if (typeof value === "object") form.append(name, asFile(value as GivenFile), nameOf(value as GivenFile));
    else form.append(name, String(value));
  }
}
