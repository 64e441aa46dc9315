// Results: reports as the service gives them, with their files.

import type {
  ChannelsReport,
  ClassChannelsReport,
  CompareReport,
  ExtremalReport,
  JobRead,
} from "./generated/schemas.ts";
import { RemoteFile } from "./remote_file.ts";
import { follow, type Site } from "./site.ts";

/** Files by name or area. */
export type Files = Record<string, RemoteFile>;

/** What every result has. Its files are fetched when they are asked for, and the service keeps them for a day or so. */
export interface Result {
  readonly job: JobRead;
  /** The whole address of its page on the dashboard, for a browser. */
  readonly dashboard: string;
  /** All files by the names of the job's links: `saliency`, `curve`, `masks/0.1`, ... */
  readonly files: Files;
  /** The mask of each area, at the image's size: white is kept, and 0 what the network doesn't see. */
  readonly masks: Files;
  /** Each mask, or each map of a comparison, laid over the image. */
  readonly overlays: Files;
}

/** The masks of an image, one for each area. */
export type Explanation = Result & ExtremalReport;

/** Several methods on one image: `overlays` and `maps` by method. */
export type Comparison = Result & CompareReport & { readonly maps: Files };

/** Masks over the channels of a layer. */
export type Channels = Result & ChannelsReport;

/** The channels of a layer that a class needs. */
export type ClassChannels = Result & ClassChannelsReport;

/** A result by the name of its task. */
export interface Results {
  extremal: Explanation;
  compare: Comparison;
  channels: Channels;
  class_channels: ClassChannels;
}

const NO_FILES = ["self", "dashboard", "events", "result", "batch"];

/** Return the result of a finished job: its report, with its files. */
export function makeResult(site: Site, report: Results[keyof Results], job: JobRead): Results[keyof Results] {
  const files: Files = {};
  for (const [key, link] of Object.entries({ ...report.artifacts, ...job.links } as Record<string, unknown>)) {
    if (typeof link === "string" && !NO_FILES.includes(key)) files[key] = new RemoteFile(site, link);
    else if (link && typeof link === "object") Object.assign(files, family(site, key, link));
  }
  const dashboard = follow(site, job.links.dashboard).url;
  const found = { ...report, job, dashboard, files, masks: under("masks", files), overlays: under("overlays", files) };
  return report.task === "compare" ? { ...found, ...pictures(site, report) } as Comparison : found as typeof report;
}

const family = (site: Site, key: string, links: object): Files =>
  Object.fromEntries(Object.entries(links).map(([name, link]) => [`${key}/${name}`, new RemoteFile(site, link)]));

const under = (key: string, files: Files): Files =>
  Object.fromEntries(
    Object.entries(files).filter(([name]) => name.startsWith(`${key}/`)).map(([name, file]) => [
      name.slice(key.length + 1),
      file,
    ]),
  );

function pictures(site: Site, { methods }: CompareReport): { maps: Files; overlays: Files } {
  const of = (part: "map" | "overlay"): Files =>
    Object.fromEntries(
      methods.flatMap((one) => one[part] ? [[one.method, new RemoteFile(site, one[part])]] : []),
    );
  return { maps: of("map"), overlays: of("overlay") };
}
