"""Plain data: phase values (`values`), table rows (`rows`) and the write batch (`batch`). No behaviour beyond derived facts."""
