// States of a report, drawn in the README.

export type ReportState = 'making' | 'ready' | 'failed';
