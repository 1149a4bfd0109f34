// States of a comparison, drawn in the README.

export type ComparisonState = 'making' | 'ready' | 'failed';
