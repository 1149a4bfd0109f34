// What a recipe says that must not be learned, by columns (answers only rise with one, some interact with no others),
// checked and turned into what learners keep to, by features (learners/constraints.ts).
import { Problem, type FieldError } from '../../base/problems.ts';
import type { Feature } from '../frame/encoding.ts';
import type { Frame } from '../frame/frame.ts';
import type { Task } from '../frame/schema.ts';
import type { Constraints } from '../learners/constraints.ts';
import type { ColumnConstraints } from '../model/manifest.ts';

/** What columns there are, and which of them have an order that answers can follow: numbers, and true after false. */
export interface ColumnsToConstrain {
  columns: readonly { name: string; isOrdered: boolean }[];
  target: string;
  /** Begins the names of fields in problems, such as `body.`. */
  place?: string;
}

/** The columns of a frame, for {@link checkColumnConstraints}. */
export function columnsToConstrain(frame: Frame, target: string): ColumnsToConstrain {
  return {
    target,
    columns: frame.columns.map(({ name, kind }) => ({
      name,
      isOrdered: kind === 'numeric' || kind === 'boolean',
    })),
  };
}

/** Whether there is anything to keep to. */
export function isConstrained({ increasing, decreasing, interactionGroups }: ColumnConstraints): boolean {
  return increasing.length + decreasing.length > 0 || interactionGroups !== undefined;
}

/** @throws Problem `column-unknown` or `invalid-request` naming each field that is wrong */
export function checkColumnConstraints(
  { increasing, decreasing, interactionGroups = [] }: ColumnConstraints,
  { columns, target, place = '' }: ColumnsToConstrain,
): void {
  const orders = new Map(columns.map(({ name, isOrdered }) => [name, isOrdered]));
  const said = [
    ...increasing.map((name) => ({ name, part: 'increasing' })),
    ...decreasing.map((name) => ({ name, part: 'decreasing' })),
    ...interactionGroups.flat().map((name) => ({ name, part: 'interactionGroups' })),
  ];
  const unknown = said.filter(({ name }) => !orders.has(name));
  const faultOf = ({ name, part }: { name: string; part: string }): string | undefined => {
    if (!orders.has(name)) return `names "${name}", which is no column of the data`;
    if (name === target) return 'names the target';
    if (part === 'interactionGroups') return undefined;
    if (!orders.get(name)) return `names "${name}", which holds neither numbers nor true and false`;
    return part === 'decreasing' && increasing.includes(name)
      ? `names "${name}", which is among the increasing columns too`
      : undefined;
  };
  const errors = (unknown.length > 0 ? unknown : said).flatMap((one) => {
    const message = faultOf(one);
    return message === undefined ? [] : [{ field: `${place}constraints.${one.part}`, message }];
  });
  if (errors.length > 0) throw refusal(unknown.length > 0 ? 'column-unknown' : 'invalid-request', errors);
}

/** @throws Problem `invalid-request` when answers of this task cannot rise or fall */
export function checkDirections({ increasing, decreasing }: ColumnConstraints, task: Task, place = ''): void {
  if (task !== 'multiclass' || increasing.length + decreasing.length === 0) return;
  const part = increasing.length > 0 ? 'increasing' : 'decreasing';
  const message = 'has no meaning with three or more classes, which do not rise or fall';
  throw refusal('invalid-request', [{ field: `${place}constraints.${part}`, message }]);
}

/**
 * The same for the features of an encoding. With two classes it is the probability of the positive one that rises or
 * falls. All features made of one column may meet each other.
 */
export function featureConstraints(
  { increasing, decreasing, interactionGroups }: ColumnConstraints,
  features: readonly Feature[],
  target: { task: Task; positiveClass: number },
): Constraints {
  // Learners speak of the second class.
  const rising = target.task === 'binary' && target.positiveClass === 0 ? -1 : 1;
  const directionOf = ({ column }: Feature): number =>
    increasing.includes(column) ? rising : decreasing.includes(column) ? -rising : 0;
  const positionsOf = (columns: ReadonlySet<string>): number[] =>
    [...features.keys()].filter((index) => columns.has(features[index]!.column));
  return {
    ...(increasing.length + decreasing.length > 0 && { monotone: features.map(directionOf) }),
    ...(interactionGroups && {
      interactionGroups: [
        ...interactionGroups.map((group) => positionsOf(new Set(group))),
        ...[...new Set(features.map(({ column }) => column))].map((column) => positionsOf(new Set([column]))),
      ].filter((group) => group.length > 1),
    }),
  };
}

function refusal(code: 'column-unknown' | 'invalid-request', errors: FieldError[]): Problem {
  const { field, message } = errors[0]!;
  return new Problem(code, `Constraints: "${field.split('.').at(-1)}" ${message}.`, { errors });
}
