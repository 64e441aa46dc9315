// Addresses at which a client begins; all others are links. Made of the OpenAPI document by `make client`: change nothing.

/** Method and path of each. */
export const OPERATIONS = {
  "create_job": ["POST", "/v1/jobs"],
  "list_jobs": ["GET", "/v1/jobs"],
  "delete_jobs": ["DELETE", "/v1/jobs"],
  "get_job": ["GET", "/v1/jobs/{job_id}"],
  "create_batch": ["POST", "/v1/batches"],
  "classify": ["POST", "/v1/classify"],
  "get_models": ["GET", "/v1/models"],
  "get_model": ["GET", "/v1/models/{name}"],
  "get_tasks": ["GET", "/v1/tasks"],
} as const;

/** Their names. */
export type Operation = keyof typeof OPERATIONS;
