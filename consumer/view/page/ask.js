/* What the server says where it does not give what was asked for: a sentence. */
export async function said(response) {
  const text = await response.text();
  try {
    return JSON.parse(text).error;
  } catch {
    return text.trim() || `The server answers ${response.status}.`;
  }
}

/* The lines of an answer as they come, each a JSON value; `take` gets them, and a promise of the end is returned. */
export async function lines(response, take) {
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = '';
  for (let piece = await reader.read(); !piece.done; piece = await reader.read()) {
    const parts = (rest + piece.value).split('\n');
    rest = parts.pop();
    parts.filter(Boolean).forEach((line) => take(JSON.parse(line)));
  }
  if (rest) take(JSON.parse(rest));
}
