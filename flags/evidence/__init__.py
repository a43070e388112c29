"""Statistics that stay valid however often somebody looks, and planned looks."""
