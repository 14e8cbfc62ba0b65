"""From wrong entries to the mistake behind them.  Nothing here calls f."""
