// The look of Pilvi: the palette of a northern lake under changing cloud. One accent (lake), one highlight
// (cloudberry), greys tinted towards both, and a single typeface. Contrast is WCAG AA on every pair that carries text.
import '@fontsource-variable/hanken-grotesk/wght.css';
import { createTheme, type CSSVariablesResolver, type MantineColorsTuple } from '@mantine/core';

const lake: MantineColorsTuple = [
  '#eaf4f4',
  '#d3e7e8',
  '#a9d0d3',
  '#7cb7bc',
  '#569fa6',
  '#3a8790',
  '#27737d',
  '#1b606a',
  '#124c55',
  '#0b3a42',
];

const cloudberry: MantineColorsTuple = [
  '#fff5e6',
  '#fde6c4',
  '#fbd092',
  '#f7b65a',
  '#f2a02f',
  '#e38a14',
  '#c06f08',
  '#8f5206',
  '#6e3f06',
  '#4b2b05',
];

const lingonberry: MantineColorsTuple = [
  '#fdeeee',
  '#fad9da',
  '#f3b1b4',
  '#eb868b',
  '#e2636a',
  '#d2454e',
  '#bd323d',
  '#a02631',
  '#7d1c25',
  '#58131a',
];

const moss: MantineColorsTuple = [
  '#eff6ea',
  '#dcebd2',
  '#bad7a8',
  '#95c17a',
  '#76ad56',
  '#5f9740',
  '#4b7f30',
  '#3a6725',
  '#2b4f1b',
  '#1d3711',
];

const gray: MantineColorsTuple = [
  '#f6f9f8',
  '#eef3f2',
  '#e3eaea',
  '#d3dddd',
  '#b7c5c6',
  '#8f9fa2',
  '#58696d',
  '#425256',
  '#2a383c',
  '#14262b',
];

const dark: MantineColorsTuple = [
  '#dbe5e6',
  '#b9c6c9',
  '#98a8ac',
  '#6d7f84',
  '#35444a',
  '#2a373c',
  '#1f2b30',
  '#162024',
  '#10191c',
  '#0a1113',
];

const typeface = "'Hanken Grotesk Variable', system-ui, -apple-system, 'Segoe UI', sans-serif";

export const theme = createTheme({
  colors: {
    lake,
    cloudberry,
    lingonberry,
    moss,
    gray,
    dark,
    red: lingonberry,
    green: moss,
    yellow: cloudberry,
  },
  primaryColor: 'lake',
  primaryShade: { light: 7, dark: 6 },
  black: '#14262b',
  fontFamily: typeface,
  fontFamilyMonospace:
    "ui-monospace, 'SFMono-Regular', 'Cascadia Mono', 'DejaVu Sans Mono', Menlo, monospace",
  headings: {
    fontFamily: typeface,
    fontWeight: '650',
    sizes: {
      h1: { fontSize: '1.875rem', lineHeight: '1.2' },
      h2: { fontSize: '1.25rem', lineHeight: '1.3' },
      h3: { fontSize: '1.0625rem', lineHeight: '1.35' },
    },
  },
  defaultRadius: 'md',
  radius: { xs: '3px', sm: '6px', md: '9px', lg: '14px', xl: '22px' },
  cursorType: 'pointer',
  respectReducedMotion: true,
  components: {
    Tooltip: { defaultProps: { openDelay: 250, withArrow: true, multiline: true, maw: 320 } },
    Modal: {
      defaultProps: {
        centered: true,
        radius: 'lg',
        padding: 'lg',
        overlayProps: { backgroundOpacity: 0.45, blur: 2 },
      },
      styles: { title: { fontWeight: 650, fontSize: '1.125rem' } },
    },
    Table: { defaultProps: { verticalSpacing: 'sm', horizontalSpacing: 'md' } },
    Anchor: { defaultProps: { underline: 'hover' } },
    Menu: { defaultProps: { shadow: 'md' } },
    Skeleton: { defaultProps: { radius: 'md' } },
    ScrollAreaAutosize: { defaultProps: { type: 'auto' } },
  },
});

/** Pilvi's own tokens, light and dark; stylesheets and charts read these and Mantine's, nothing else. */
export const cssVariables: CSSVariablesResolver = () => ({
  variables: {},
  light: {
    '--mantine-color-body': '#ffffff',
    '--mantine-color-dimmed': '#566669',
    '--mantine-color-placeholder': '#6b7b7e',
    '--mantine-color-error': lingonberry[6],
    '--pilvi-shore': '#f3f7f6',
    '--pilvi-line': '#dfe7e7',
    '--pilvi-ink': '#14262b',
    '--pilvi-tint': lake[0],
    '--pilvi-accent': lake[7],
    '--pilvi-mark': cloudberry[5],
    '--pilvi-good': moss[6],
    '--pilvi-bad': lingonberry[6],
    '--pilvi-bar': lake[4],
    '--pilvi-bar-quiet': '#d5e2e3',
  },
  dark: {
    '--mantine-color-body': dark[8],
    '--mantine-color-default': dark[7],
    '--mantine-color-default-hover': dark[6],
    '--mantine-color-default-border': dark[4],
    '--mantine-color-dimmed': '#9fb0b4',
    '--mantine-color-placeholder': '#8b9ca1',
    '--mantine-color-error': lingonberry[3],
    '--mantine-color-anchor': lake[3],
    '--pilvi-shore': '#0b1315',
    '--pilvi-line': '#263338',
    '--pilvi-ink': '#e4eced',
    '--pilvi-tint': '#14282c',
    '--pilvi-accent': lake[3],
    '--pilvi-mark': cloudberry[4],
    '--pilvi-good': moss[3],
    '--pilvi-bad': lingonberry[3],
    '--pilvi-bar': lake[5],
    '--pilvi-bar-quiet': '#27383c',
  },
});
