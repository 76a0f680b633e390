// RunInstances as a Restate service: the launch is a step of its journal, and Restate itself stores its reply under the
// call's idempotency key.
//
// Usage: node service.js PORT EFFECTS      each launch appends a line, the instance's id, to the file EFFECTS
import { randomBytes } from "node:crypto";
import { createWriteStream } from "node:fs";
import { createServer } from "node:http2";
import { createEndpointHandler, service } from "@restatedev/restate-sdk";

const [port, effects] = process.argv.slice(2);
const launched = createWriteStream(effects, { flags: "a" });

// As large as the other systems' replies. (Restate does not tell a handler the call's idempotency key.)
function reply(instanceId) {
  return {
    reservation_id: "r-0123456789abcdef0",
    owner_id: "default",
    instances: [{
      instance_id: instanceId,
      reservation_id: "r-0123456789abcdef0",
      image_id: "ami-b232d0db",
      instance_type: "m5.large",
      state: "INSTANCE_STATE_PENDING",
      region: "us-east-1",
      availability_zone: "us-east-1a",
      subnet_id: "subnet-bench",
      private_ip_address: "10.0.100.20",
      launch_time: "2023-11-14T22:13:20.123456Z",
      client_token: "550e8400-e29b-41d4-a716-446655440000",
    }],
  };
}

const compute = service({
  name: "Compute",
  handlers: {
    RunInstances: async (context) => {
      const instanceId = await context.run("launch", () => {
        const id = `i-0${randomBytes(8).toString("hex")}`;
        launched.write(`${id}\n`);
        return id;
      });
      return reply(instanceId);
    },
  },
});

const server = createServer(createEndpointHandler({ services: [compute] }));
server.listen(Number(port), "127.0.0.1", () => console.log(`restate service: listening on 127.0.0.1:${server.address().port}`));
process.once("SIGTERM", () => process.exit(0));
