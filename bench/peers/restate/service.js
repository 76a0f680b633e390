// Post as a Restate service: the posting is a step of its journal, and Restate itself stores its reply under the
// call's idempotency key.
//
// Usage: node service.js PORT EFFECTS      each post appends a line, the posting's id and content, to the file EFFECTS
import { randomBytes } from "node:crypto";
import { createWriteStream } from "node:fs";
import { createServer } from "node:http2";
import { createEndpointHandler, service } from "@restatedev/restate-sdk";

const [port, effects] = process.argv.slice(2);
const postings = createWriteStream(effects, { flags: "a" });

const ledger = service({
  name: "Ledger",
  handlers: {
    Post: async (context, { posting }) => {
      const id = await context.run("post", () => {
        const id = `p-0${randomBytes(8).toString("hex")}`;
        postings.write(`${id} ${JSON.stringify(posting)}\n`);
        return id;
      });
      return { posting_id: id, posting };
    },
  },
});

const server = createServer(createEndpointHandler({ services: [ledger] }));
server.listen(Number(port), "127.0.0.1", () => console.log(`restate service: listening on 127.0.0.1:${server.address().port}`));
process.once("SIGTERM", () => process.exit(0));
