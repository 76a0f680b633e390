// Post over HTTP/1.1 and JSON, protected by node-idempotency, whose records are in Redis, as the posting is.
//
// Usage: node service.js REDIS_SOCKET PROCESSES
import cluster from "node:cluster";
import { randomBytes } from "node:crypto";
import { createServer } from "node:http";
import { Idempotency } from "@node-idempotency/core";
import { RedisStorageAdapter } from "@node-idempotency/storage-adapter-redis";

const [redisSocket, processes] = process.argv.slice(2);
const STATUS = { REQUEST_IN_PROGRESS: 409, IDEMPOTENCY_FINGERPRINT_MISSMATCH: 422 };

function read(request) {
  return new Promise((resolve, reject) => {
    const chunks = [];
    request.on("data", (chunk) => chunks.push(chunk));
    request.on("end", () => resolve(JSON.parse(Buffer.concat(chunks).toString())));
    request.on("error", reject);
  });
}

function answer(response, status, body) {
  const bytes = Buffer.from(JSON.stringify(body));
  response.writeHead(status, { "content-type": "application/json", "content-length": bytes.length });
  response.end(bytes);
}

async function serve() {
  const storage = new RedisStorageAdapter({ socket: { path: redisSocket } });
  await storage.connect();
  const idempotency = new Idempotency(storage, { enforceIdempotency: true });

  async function post(request, response) {
    const call = { method: request.method, path: request.url, headers: request.headers, body: await read(request) };
    const found = await idempotency.onRequest(call);
    if (found) return answer(response, found.additional.status, found.body);
    const id = `p-0${randomBytes(8).toString("hex")}`;
    const body = { posting_id: id, posting: call.body.posting };
    await storage.client.set(`posting:${id}`, JSON.stringify(body.posting));
    await idempotency.onResponse(call, { body, additional: { status: 200 } });
    answer(response, 200, body);
  }

  const server = createServer((request, response) => {
    post(request, response).catch((error) => answer(response, STATUS[error.code] ?? 500, { error: String(error) }));
  });
  server.keepAliveTimeout = 0;
  server.listen(0, "127.0.0.1", () => process.send(server.address().port));
}

if (cluster.isPrimary) {
  let waiting = Number(processes);
  for (let i = 0; i < Number(processes); i++) {
    cluster.fork().on("message", (port) => {
      if (--waiting === 0) console.log(`node-idempotency: listening on 127.0.0.1:${port}`);
    });
  }
  process.once("SIGTERM", () => {
    for (const worker of Object.values(cluster.workers)) worker.process.kill();
    process.exit(0);
  });
} else {
  await serve();
}
