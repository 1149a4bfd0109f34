// The icons, drawn for Pilvi on a grid of 20 with a line of 1.6. Decoration only: a control that shows nothing else
// has its own label.

const paths = {
  add: 'M10 4v12M4 10h12',
  alert: 'M10 3.2 17.6 16.4H2.4zM10 8v4M10 14.1v.1',
  back: 'M8 5l-5 5 5 5M3 10h14',
  check: 'M4 10.5l4 4 8-9',
  chevron: 'M7.5 4.5L13 10l-5.5 5.5',
  close: 'M5 5l10 10M15 5L5 15',
  code: 'M7 5l-5 5 5 5M13 5l5 5-5 5',
  coins:
    'M10 3c3.9 0 7 1.2 7 2.7S13.9 8.4 10 8.4 3 7.2 3 5.7 6.1 3 10 3zM3 5.7v4.3c0 1.5 3.1 2.7 7 2.7s7-1.2 7-2.7V5.7M3 10v4.3c0 1.5 3.1 2.7 7 2.7s7-1.2 7-2.7V10',
  copy: 'M7 7V3.5h9.5V13H13M3.5 7H13v9.5H3.5z',
  data: 'M3 4.5h14v11H3zM3 8.2h14M8 8.2v7.3',
  download: 'M10 3v9.5M5.8 8.5l4.2 4.2 4.2-4.2M3.5 16.5h13',
  endpoint: 'M3 10h6M13 10a2 2 0 1 0-4 0 2 2 0 0 0 4 0zM12.5 8.6L17 4.5M12.5 11.4L17 15.5',
  home: 'M3.5 9.5L10 3.5l6.5 6v7h-4.7v-4.3H8.2v4.3H3.5z',
  jobs: 'M3.5 5h2M8.5 5h8M3.5 10h2M8.5 10h8M3.5 15h2M8.5 15h8',
  key: 'M11.8 8.2a4 4 0 1 0-2.3 2.3l1.5 1.5h2v2h2v2h2.5v-2.8z',
  members:
    'M7.5 9.2a2.9 2.9 0 1 0 0-5.8 2.9 2.9 0 0 0 0 5.8zM2 16.5c.4-3 2.5-4.6 5.5-4.6s5.1 1.6 5.5 4.6M13 3.7a2.7 2.7 0 0 1 0 5.2M15 12.3c1.7.6 2.7 2 3 4.2',
  menu: 'M3.5 5.5h13M3.5 10h13M3.5 14.5h13',
  model: 'M10 2.8l6.5 3.6v7.2L10 17.2l-6.5-3.6V6.4zM3.7 6.5L10 10l6.3-3.5M10 10v7',
  moon: 'M16.5 11.8A7 7 0 0 1 8.2 3.5a7 7 0 1 0 8.3 8.3z',
  more: 'M4.5 10h.1M10 10h.1M15.5 10h.1',
  play: 'M6 4l10 6-10 6z',
  refresh: 'M16 7.5A6.5 6.5 0 0 0 4 8M4 4v4h4M4 12.5A6.5 6.5 0 0 0 16 12M16 16v-4h-4',
  scroll: 'M5 3.5h9.5v13H5zM7.5 7h4.5M7.5 10h4.5M7.5 13h2.5',
  search: 'M9 14.5a5.5 5.5 0 1 0 0-11 5.5 5.5 0 0 0 0 11zM13 13l4 4',
  server: 'M3.5 4h13v5h-13zM3.5 11h13v5h-13zM6.2 6.5h.1M6.2 13.5h.1',
  sun: 'M10 13.3a3.3 3.3 0 1 0 0-6.6 3.3 3.3 0 0 0 0 6.6zM10 2v1.7M10 16.3V18M2 10h1.7M16.3 10H18M4.3 4.3l1.2 1.2M14.5 14.5l1.2 1.2M4.3 15.7l1.2-1.2M14.5 5.5l1.2-1.2',
  switch: 'M7 4L4 7l3 3M4 7h12M13 10l3 3-3 3M16 13H4',
  training: 'M3 16.5h14M4.5 13l4-4.5 3 2.5 4.5-6',
  trash: 'M4 5.5h12M8 5.5V3.5h4v2M5.5 5.5l.7 11h7.6l.7-11M8.5 8.5v5M11.5 8.5v5',
  upload: 'M10 13V3.5M5.8 7.5L10 3.3l4.2 4.2M3.5 16.5h13',
  user: 'M10 9.5a3.2 3.2 0 1 0 0-6.4 3.2 3.2 0 0 0 0 6.4zM3.8 17c.5-3.3 2.9-5 6.2-5s5.7 1.7 6.2 5',
} as const;

export type IconName = keyof typeof paths;

/** One icon in the colour of the text around it. */
export function Icon({ name, size = 18 }: { name: IconName; size?: number }) {
  return (
    <svg
      width={size}
      height={size}
      viewBox="0 0 20 20"
      fill="none"
      stroke="currentColor"
      strokeWidth={name === 'more' ? 2.6 : 1.6}
      strokeLinecap="round"
      strokeLinejoin="round"
      aria-hidden
      style={{ flex: 'none' }}
    >
      <path d={paths[name]} />
    </svg>
  );
}
