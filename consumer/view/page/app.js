"use strict";
// Asks once every 2 s what there is, and says it in a line.
const status = document.getElementById("status");
let etag = "";

async function refresh() {
  try {
    const answer = await fetch("api/now", { headers: etag ? { "If-None-Match": etag } : {} });
    if (answer.status === 304) return;
    if (!answer.ok) throw new Error(await answer.text());
    etag = answer.headers.get("ETag") || "";
    const now = await answer.json();
    status.textContent = now.trouble || now.why;
  } catch (error) {
    status.textContent = String(error.message || error);
  }
}

refresh();
setInterval(refresh, 2000);
