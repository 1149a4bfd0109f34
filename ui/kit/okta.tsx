// Pilvi's mark and its sign of progress: the sky-cover circle of weather charts. Observers note clouds in oktas, eighths
// of the sky, as a circle that fills; here it fills with work done. A cross means "obscured" on those charts and
// "failed" here.
import classes from './okta.module.css';

export type OktaKind = 'cover' | 'failed' | 'cancelled';

interface OktaProps {
  /** Filled part of the circle, 0 to 1. */
  share?: number;
  size?: number;
  kind?: OktaKind;
  /** Breathes while something is going on. */
  isLive?: boolean;
  /** Said by screen readers; without it the circle is decoration. */
  label?: string;
}

/** A circle filled by `share`, clockwise from the top. */
export function Okta({ share = 0, size = 18, kind = 'cover', isLive = false, label }: OktaProps) {
  return (
    <svg
      className={classes.okta}
      data-kind={kind}
      data-live={isLive || undefined}
      width={size}
      height={size}
      viewBox="0 0 32 32"
      strokeWidth={size > 28 ? 1.4 : 2.6}
      {...(label === undefined ? { 'aria-hidden': true } : { role: 'img', 'aria-label': label })}
    >
      <circle className={classes.ring} cx="16" cy="16" r="13.5" />
      {kind === 'cover' && <path className={classes.cover} d={sector(share)} />}
      {kind === 'failed' && <path className={classes.cross} d="M7 7l18 18M25 7L7 25" />}
      {kind === 'cancelled' && <path className={classes.cross} d="M3 16h26" />}
    </svg>
  );
}

/** A row of circles from clear to overcast: the quiet ornament of empty pages. */
export function OktaRow({ size = 22 }: { size?: number }) {
  return (
    <span className={classes.row} aria-hidden>
      {Array.from({ length: 9 }, (_, eighths) => (
        <Okta key={eighths} share={eighths / 8} size={size} />
      ))}
    </span>
  );
}

/** The name with its mark. */
export function Brand({ size = 22 }: { size?: number }) {
  return (
    <span className={classes.brand} style={{ fontSize: size }}>
      <Okta share={0.75} size={size} />
      Pilvi
    </span>
  );
}

const radius = 13.5;

function sector(share: number): string {
  const part = Math.min(1, Math.max(0, share));
  if (part === 0) return '';
  if (part === 1) return `M16 2.5a${radius} ${radius} 0 1 1 0 27a${radius} ${radius} 0 1 1 0-27z`;
  const angle = part * 2 * Math.PI;
  const x = 16 + radius * Math.sin(angle);
  const y = 16 - radius * Math.cos(angle);
  return `M16 16V2.5A${radius} ${radius} 0 ${part > 0.5 ? 1 : 0} 1 ${x.toFixed(3)} ${y.toFixed(3)}z`;
}
