"""Page tokens of ListTokens and ListOperations (C4, C28): each goes on with the query that it came from, and shows
nobody what is another's. Those of the Describe methods are in compute_test and bad_input_test."""

import unittest

from case import ServerCase, all_pages, eventually, new_token, run
from client import OPERATIONS, TOKENS
from protos import compute_pb2, operations_pb2, resources_pb2, tokens_pb2

LIST_TOKENS, LIST_OPERATIONS = TOKENS + "ListTokens", OPERATIONS + "ListOperations"
COUNT = 5


def tokens_request(**fields):
    return tokens_pb2.ListTokensRequest(**fields)


def operations_request(**fields):
    return operations_pb2.ListOperationsRequest(**fields)


class PageTokenTest(ServerCase):
    flags = ("--simulated_boot_latency=20ms",)

    def fill(self, client) -> None:
        """Gives a tenant COUNT + 1 tokens in us-east-1, and COUNT operations that are done."""
        ids = [i.instance_id for i in client.call("RunInstances", run(new_token(), min_count=COUNT)).parsed.instances]
        running = {resources_pb2.INSTANCE_STATE_RUNNING}
        eventually(lambda: {i.state for i in self.instances(client)} == running, "running")
        for instance in ids:
            stop = compute_pb2.StopInstanceRequest(client_token=new_token(), instance_id=instance)
            self.assertOutcome(client.call("StopInstance", stop), "executed")
        eventually(lambda: len(self.operations(client, filter="done = true")) == COUNT, "stopped")

    def tokens(self, client, **fields) -> list:
        return [t.client_token for t in all_pages(client, LIST_TOKENS, "tokens", tokens_request(**fields))]

    def operations(self, client, **fields) -> list:
        return [o.name for o in all_pages(client, LIST_OPERATIONS, "operations", operations_request(**fields))]

    def page_token(self, method: str, request) -> str:
        """Of the second page."""
        token = self.client.call(method, request).parsed.next_page_token
        self.assertTrue(token)
        return token

    def assertNotMine(self, method: str, request, page_token: str) -> None:
        request.page_token = page_token
        self.assertRefused(self.client.call(method, request), "INVALID_PARAMETER", "page_token")

    def test_C28_all_pages_are_the_whole_list_and_the_size_may_change_on_the_way(self):
        self.fill(self.client)
        for listed, method, request, repeated in (
                (self.tokens(self.client), LIST_TOKENS, tokens_request, "tokens"),
                (self.operations(self.client), LIST_OPERATIONS, operations_request, "operations")):
            self.assertEqual(len(set(listed)), len(listed))
            for page_size in range(1, COUNT + 2):
                first = self.client.call(method, request(page_size=2)).parsed
                rest = all_pages(self.client, method, repeated,
                                 request(page_size=page_size, page_token=first.next_page_token))
                found = [getattr(row, "client_token", None) or row.name for row in [*getattr(first, repeated), *rest]]
                self.assertEqual(found, listed)
        self.assertEqual(self.operations(self.client), sorted(self.operations(self.client)))  # Oldest first.

    def test_C28_a_page_token_of_another_query_is_refused(self):
        self.fill(self.client)
        all_tokens = self.page_token(LIST_TOKENS, tokens_request(page_size=2))
        of_region = self.page_token(LIST_TOKENS, tokens_request(page_size=2, region="us-east-1"))
        for request, page_token in (
                (tokens_request(region="us-east-1"), all_tokens), (tokens_request(region="eu-west-1"), all_tokens),
                (tokens_request(), of_region), (tokens_request(region="eu-west-1"), of_region),
                (tokens_request(client_token="token"), all_tokens)):
            with self.subTest(request):
                self.assertNotMine(LIST_TOKENS, request, page_token)
        all_operations = self.page_token(LIST_OPERATIONS, operations_request(page_size=2))
        done = self.page_token(LIST_OPERATIONS, operations_request(page_size=2, filter="done = true"))
        for request, page_token in (
                (operations_request(filter="done = true"), all_operations), (operations_request(), done),
                (operations_request(filter="done = false"), done)):
            with self.subTest(request):
                self.assertNotMine(LIST_OPERATIONS, request, page_token)
        self.assertNotMine(LIST_OPERATIONS, operations_request(), all_tokens)
        self.assertNotMine(LIST_TOKENS, tokens_request(), all_operations)

    def test_C28_a_page_token_that_was_changed_is_refused(self):
        self.fill(self.client)
        for method, request in ((LIST_TOKENS, tokens_request), (LIST_OPERATIONS, operations_request)):
            page_token = self.page_token(method, request(page_size=2))
            for at in range(0, len(page_token) - 4, 3):
                changed = page_token[:at] + ("A" if page_token[at] != "A" else "B") + page_token[at + 1:]
                self.assertNotMine(method, request(), changed)
            for changed in (page_token[:-4], page_token + "AAAA", page_token * 2, "A", "AAAAAAAAAAAAAAAA", " "):
                self.assertNotMine(method, request(), changed)

    def test_C4_C28_another_tenants_page_token_is_refused(self):
        other = self.client_of("other-" + self.tenant[:50])
        self.fill(self.client)
        self.fill(other)
        for method, request in ((LIST_TOKENS, tokens_request), (LIST_OPERATIONS, operations_request)):
            request = request(page_size=2, page_token=self.page_token(method, request(page_size=1)))
            reply = other.call(method, request)
            self.assertRefused(reply, "INVALID_PARAMETER", "page_token")

    def test_C28_a_page_token_is_good_after_kill_minus_9(self):
        self.fill(self.client)
        tokens, operations = self.tokens(self.client), self.operations(self.client)
        second = tokens_request(page_token=self.page_token(LIST_TOKENS, tokens_request(page_size=1)))
        third = operations_request(page_token=self.page_token(LIST_OPERATIONS, operations_request(page_size=2)))
        self.server.kill()
        self.server.start()
        found = self.client.call(LIST_TOKENS, second).parsed.tokens
        self.assertEqual([token.client_token for token in found], tokens[1:])
        found = self.client.call(LIST_OPERATIONS, third).parsed.operations
        self.assertEqual([operation.name for operation in found], operations[2:])

    def test_C27_wrong_list_fields_are_named(self):
        for fields, field in (({"page_size": -1}, "page_size"), ({"page_size": 1001}, "page_size"),
                              ({"filter": "done"}, "filter"), ({"name": "instances"}, "name")):
            reply = self.client.call(LIST_OPERATIONS, operations_request(**fields))
            self.assertRefused(reply, "INVALID_PARAMETER", field)


if __name__ == "__main__":
    unittest.main()
