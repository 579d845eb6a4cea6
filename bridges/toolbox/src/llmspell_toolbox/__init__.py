"""The built-in tools of llmspell: file, web, system, math, datetime, data, feed."""
