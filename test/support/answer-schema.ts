/** A strict schema of a chunk answer. It is narrower than the contract: no worker knows of the 0.9. */
export const STRICT_ANSWER_SCHEMA = {
  type: 'object',
  additionalProperties: false,
  required: ['chunk_id', 'relevant', 'summary', 'confidence', 'evidence', 'gaps', 'errors'],
  properties: {
    chunk_id: { type: 'string' },
    relevant: { type: 'boolean' },
    summary: { type: 'string' },
    confidence: { type: 'number', maximum: 0.9 },
    evidence: {
      type: 'array',
      items: {
        type: 'object',
        additionalProperties: false,
        required: ['loc', 'quote', 'note'],
        properties: { loc: { type: 'string' }, quote: { type: 'string' }, note: { type: 'string' } },
      },
    },
    gaps: { type: 'array', items: { type: 'string' } },
    errors: { type: 'array', items: { type: 'string' } },
  },
};
