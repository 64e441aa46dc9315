"""HTTP plumbing: problem details, middleware, OpenAPI, caching, links."""
