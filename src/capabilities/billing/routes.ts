// The addresses of budgets, charges and prices.
import * as operations from '../../contract/budget.ts';
import { route, type Route } from '../../platform/http/route.ts';
import { getSpending, listBudgets, listCharges, listPrices, removeBudget, setBudget } from './billing.ts';

export const billingRoutes: Route[] = [
  route(operations.listPrices, async () => ({ items: listPrices() })),
  route(operations.listBudgets, async (context) => ({ items: await listBudgets(context) })),
  route(operations.setBudget, (context, { body }) => setBudget(context, body)),
  route(operations.removeBudget, (context, { budgetId }) => removeBudget(context, budgetId)),
  route(operations.listCharges, (context, input) => listCharges(context, input)),
  route(operations.getSpending, async (context, { days }) => ({ items: await getSpending(context, days) })),
];
