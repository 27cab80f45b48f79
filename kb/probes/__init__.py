"""The room that talks to a reader's proxy: it asks, writes down the answers, and judges nothing."""
