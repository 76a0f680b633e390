"""Clients that call three servers on one PostgreSQL at random, while servers and database are killed and paused, and
requests between them are cut: does the contract explain what they were told? (C30, and those of histories_test.)

    postgres_histories_test.py [--seed N]

makes the same choices again, as histories_test.py does."""

import unittest

import shared_histories_test
from postgres_round import PostgresRound, PostgresServers


class PostgresHistoriesTest(shared_histories_test.SharedHistoriesTest):
    servers_type, round_type = PostgresServers, PostgresRound
    operations = 300
    has_clock = False  # Nothing of the database depends on it.
    faults = ("server paused", "database killed", "database paused", "all killed")


if __name__ == "__main__":
    shared_histories_test.main()
