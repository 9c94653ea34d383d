"""Running a dataset through a server: any that speaks OpenAI's API, always by the same code."""
