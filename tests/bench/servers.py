"""Small servers of the tests' own, which note what they were asked."""

import collections
import concurrent.futures
import contextlib
import http.server
import threading

import grpc

LAUNCH = "/hapax.compute.v1.Compute/RunInstances"


class HttpServer:
    """Answers POSTs over connections that it keeps alive. `keys` counts calls by Idempotency-Key, None for none;
    `connections` are those that brought calls."""

    def __init__(self, status: int = 200, chunked: bool = False):
        outer = self
        self.keys = collections.Counter()
        self.connections = set()
        lock = threading.Lock()

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                with lock:
                    outer.keys[self.headers["Idempotency-Key"]] += 1
                    outer.connections.add(self.client_address)
                    outer.last = (self.path, self.headers["Content-Type"], body)
                self.send_response(status)
                if chunked:
                    self.send_header("Transfer-Encoding", "chunked")
                    self.end_headers()
                    self.wfile.write(b"5\r\nhello\r\n0\r\n\r\n")
                else:
                    self.send_header("Content-Length", "5")
                    self.end_headers()
                    self.wfile.write(b"hello")

            def log_message(self, *_):
                pass

        class Server(http.server.ThreadingHTTPServer):
            daemon_threads = True
            request_queue_size = 128

        self._server = Server(("127.0.0.1", 0), Handler)
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        self.target = f"127.0.0.1:{self._server.server_address[1]}/launches"

    def close(self):
        self._server.shutdown()
        self._server.server_close()


@contextlib.contextmanager
def grpc_server(answer):
    """Serves RunInstances with answer(request bytes, context) -> reply bytes. Yields its address."""
    class Handler(grpc.GenericRpcHandler):
        def service(self, details):
            return grpc.unary_unary_rpc_method_handler(answer) if details.method == LAUNCH else None

    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        server = grpc.server(pool)
        server.add_generic_rpc_handlers((Handler(),))
        port = server.add_insecure_port("127.0.0.1:0")
        server.start()
        try:
            yield f"127.0.0.1:{port}"
        finally:
            server.stop(None).wait()
