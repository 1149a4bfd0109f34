// A small histogram as plain SVG: light enough to draw a thousand of them.
import classes from './histogram.module.css';

interface HistogramProps {
  label: string;
  counts: readonly number[];
  /** Words below the first and the last bar. */
  ends: readonly [string, string];
  height?: number;
}

/** Bars over equal parts of a range. */
export function Histogram({ label, counts, ends, height = 64 }: HistogramProps) {
  const largest = Math.max(...counts, 1);
  const width = 100 / Math.max(1, counts.length);
  return (
    <div className={classes.histogram}>
      <svg viewBox="0 0 100 40" preserveAspectRatio="none" style={{ height }} role="img" aria-label={label}>
        {counts.map((count, index) => {
          const tall = count === 0 ? 0 : Math.max(0.8, (count / largest) * 40);
          return <rect key={index} x={index * width} y={40 - tall} width={width * 0.86} height={tall} />;
        })}
      </svg>
      <div className={classes.ends} aria-hidden>
        <span>{ends[0]}</span>
        <span>{ends[1]}</span>
      </div>
    </div>
  );
}
