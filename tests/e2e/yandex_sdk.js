// Yandex Cloud's SDK for Node as a process: it reads calls from stdin and writes replies to stdout, a line of JSON each.
//
// A call: {endpoint, key, caFile, service, method, request} and perhaps {token, sessionToken, retry}, or {endpoint, key,
// caFile, waitFor: OPERATION}. `token` is metadata of the call, `sessionToken` a header of the session. A reply: {reply,
// outcome, retries}, or {error, code, retries}; of an operation also {metadata, response}, decoded by the SDK's own types.
const fs = require("fs");
const readline = require("readline");
const { Session, waitForOperation } = require("@yandex-cloud/nodejs-sdk");
const { Instance } = require("@yandex-cloud/nodejs-sdk/compute-v1/instance");
const instances = require("@yandex-cloud/nodejs-sdk/compute-v1/instance_service");
const operations = require("@yandex-cloud/nodejs-sdk/operation/operation_service");
const { Metadata } = require("nice-grpc");

const SERVICES = {
  InstanceService: instances.InstanceServiceClient,
  OperationService: operations.OperationServiceClient,
};
const REQUESTS = {
  InstanceService: {
    create: instances.CreateInstanceRequest,
    delete: instances.DeleteInstanceRequest,
    get: instances.GetInstanceRequest,
    list: instances.ListInstancesRequest,
    start: instances.StartInstanceRequest,
    stop: instances.StopInstanceRequest,
  },
  OperationService: { get: operations.GetOperationRequest },
};
const TYPES = { Instance, ...instances };
const sessions = new Map();
const clients = new Map();

function sessionOf(call) {
  const name = JSON.stringify([call.key, call.caFile, call.sessionToken]);
  if (!sessions.has(name)) {
    const session = new Session({
      iamToken: call.key,
      ssl: { rootCerts: fs.readFileSync(call.caFile) },
      headers: call.sessionToken ? { "Idempotency-Key": call.sessionToken } : undefined,
      pollInterval: 100,
    });
    sessions.set(name, session);
  }
  return sessions.get(name);
}

function clientOf(call) {
  const name = JSON.stringify([call.endpoint, call.service, call.key, call.caFile, call.sessionToken]);
  if (!clients.has(name)) clients.set(name, sessionOf(call).client(SERVICES[call.service], call.endpoint));
  return clients.get(name);
}

// The message in an Any; undefined for what is no Any, or none of a type of the compute service.
function decoded(any) {
  const type = any && any.typeUrl && TYPES[any.typeUrl.split("/").pop().replace("yandex.cloud.compute.v1.", "")];
  return type ? type.decode(any.value) : undefined;
}

function replyOf(reply, outcome, retries) {
  return { reply, metadata: decoded(reply.metadata), response: decoded(reply.response), outcome, retries };
}

async function run(call) {
  let retries = 0;
  let outcome = null;
  try {
    if (call.waitFor) {
      const done = await waitForOperation({ id: call.waitFor }, sessionOf(call), 30000, call.endpoint);
      return replyOf(done, null, 0);
    }
    const request = REQUESTS[call.service][call.method].fromPartial(call.request);
    const options = {
      metadata: call.token ? Metadata({ "idempotency-key": call.token }) : undefined,
      onHeader: (header) => { outcome = header.get("hapax-outcome") ?? null; },
    };
    if (call.retry) {
      const onRetryableError = () => { ++retries; };
      Object.assign(options, { retry: true, retryMaxAttempts: call.retry, retryBaseDelayMs: 100, onRetryableError });
    }
    const reply = await clientOf(call)[call.method](request, options);
    return replyOf(reply, outcome, retries);
  } catch (error) {
    return { error: error.message, code: error.code, retries };
  }
}

// Bytes of an Any as text.
const plain = (key, value) => (value && value.type === "Buffer" ? Buffer.from(value.data).toString("base64") : value);

(async () => {
  for await (const line of readline.createInterface({ input: process.stdin })) {
    process.stdout.write(`${JSON.stringify(await run(JSON.parse(line)), plain)}\n`);
  }
  process.exit(0);
})();
