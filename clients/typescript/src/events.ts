// Server-sent events, as their bytes come in (https://html.spec.whatwg.org/multipage/server-sent-events.html).

/** A server-sent event. */
export interface Message {
  readonly kind: string;
  /** Its JSON. */
  readonly data: unknown;
  readonly id: string | null;
}

/** Yield the messages of a stream; comments and what has no data are passed over. `onPiece` is called with each piece. */
export async function* messages(body: ReadableStream<Uint8Array>, onPiece: () => void): AsyncGenerator<Message> {
  const reader = body.getReader();
  const decoder = new TextDecoder();
  let rest = "";
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      onPiece();
      const blocks = (rest + decoder.decode(value, { stream: true })).replaceAll("\r\n", "\n").split("\n\n");
      rest = blocks.pop() ?? "";
      for (const block of blocks) {
        const message = read(block);
        if (message) yield message;
      }
    }
  } finally {
    await reader.cancel().catch(() => {}); // of a lost connection there is nothing to cancel
  }
}

function read(block: string): Message | null {
  const fields = new Map<string, string>();
  for (const line of block.split("\n")) {
    const at = line.indexOf(":");
    const [name, value] = at < 0 ? [line, ""] : [line.slice(0, at), line.slice(at + 1).replace(/^ /, "")];
    const before = name === "data" ? fields.get(name) : undefined;
    fields.set(name, before === undefined ? value : `${before}\n${value}`);
  }
  const data = fields.get("data");
  if (data === undefined) return null;
  return { kind: fields.get("event") ?? "message", data: JSON.parse(data), id: fields.get("id") ?? null };
}
