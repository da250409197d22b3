"""Plain data: phase values (`values`), table rows (`rows`), the write batch (`batch`). No behaviour."""
