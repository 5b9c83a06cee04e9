"""The report's tables, one recipe each: today's figures beside the report's, from one command."""
