// Two distributions over the same bins, one in front of the other, as plain SVG: light enough to draw a hundred of them.
import classes from './pair-histogram.module.css';

interface PairHistogramProps {
  label: string;
  /** Shares, of the same bins. */
  before: readonly number[];
  now: readonly number[];
  /** Words below the bins: of each, or of the first and the last. */
  names: readonly string[];
}

const height = 40;

/** Broad quiet bars for before, narrow marked ones for now. */
export function PairHistogram({ label, before, now, names }: PairHistogramProps) {
  const largest = Math.max(...before, ...now, Number.MIN_VALUE);
  const width = 100 / Math.max(1, before.length);
  const tall = (share: number): number => (share === 0 ? 0 : Math.max(0.8, (share / largest) * height));
  return (
    <div className={classes.pair}>
      <svg viewBox={`0 0 100 ${height}`} preserveAspectRatio="none" role="img" aria-label={label}>
        {before.map((share, index) => (
          <rect
            key={`before ${index}`}
            className={classes.before}
            x={(index + 0.04) * width}
            y={height - tall(share)}
            width={width * 0.92}
            height={tall(share)}
          />
        ))}
        {now.map((share, index) => (
          <rect
            key={`now ${index}`}
            className={classes.now}
            x={(index + 0.3) * width}
            y={height - tall(share)}
            width={width * 0.4}
            height={tall(share)}
          />
        ))}
      </svg>
      <div className={classes.names} data-each={names.length === before.length || undefined} aria-hidden>
        {names.map((name, index) => (
          <span key={index} title={name}>
            {name}
          </span>
        ))}
      </div>
    </div>
  );
}
