// A folder of photographs, explained by a running service: deno run -NRWE explain_a_folder.ts FOLDER
import { Client } from "../clients/typescript/src/index.ts";

const [folder] = Deno.args;
const client = new Client(Deno.env.get("EP_URL"));
for (const { name } of [...Deno.readDirSync(folder)].filter(({ name }) => name.endsWith(".jpg"))) {
  const image = new Blob([await Deno.readFile(`${folder}/${name}`)]);
  const result = await client.explain(image, { areas: [0.1, 0.3] });
  for (const [area, mask] of Object.entries(result.masks)) {
    await Deno.writeFile(`${folder}/${name}-${area}.png`, await mask.bytes());
  }
}
