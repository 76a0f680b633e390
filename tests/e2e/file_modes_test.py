"""What the server writes is for its own user alone, whatever the umask it was started with."""

import os
import stat
import unittest

from case import ServerCase, keypair, new_token, run
from harness import Server


class FileModesTest(ServerCase):
    @classmethod
    def setUpClass(cls):
        cls.server = Server()
        cls.addClassCleanup(cls.server.close)
        before = os.umask(0)
        try:
            cls.server.start()
        finally:
            os.umask(before)

    def test_files_are_0600_and_directories_0700(self):
        self.assertOutcome(self.client.call("CreateKeypair", keypair(new_token())), "executed")
        self.assertOutcome(self.client.call("RunInstances", run(new_token())), "executed")
        self.check()
        self.server.stop()
        self.check()
        self.server.start()
        self.check()

    def check(self) -> None:
        made = [self.server.seal_key_file, self.server.data_dir, *self.server.data_dir.rglob("*")]
        self.assertGreater(len(made), 5)
        for path in made:
            if path.exists():  # Files of the database come and go.
                with self.subTest(path=path.name):
                    self.assertEqual(oct(stat.S_IMODE(path.stat().st_mode)), "0o700" if path.is_dir() else "0o600")


if __name__ == "__main__":
    unittest.main()
