-- The tables of the service. They need no more than to be in the database of the server's store.
CREATE TABLE accounts (
  id text PRIMARY KEY,
  balance_cents bigint NOT NULL CHECK (balance_cents >= 0)
);
CREATE TABLE payments (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  tenant text NOT NULL,
  account text NOT NULL REFERENCES accounts,
  cents bigint NOT NULL CHECK (cents > 0),
  made_at timestamptz NOT NULL DEFAULT now()
);
INSERT INTO accounts VALUES ('anna', 100000), ('ben', 100000);
