// Routes of workspaces, members and projects.
import * as projectContract from '../../contract/project.ts';
import * as contract from '../../contract/workspace.ts';
import { route, type Route } from '../http/route.ts';
import { askedAt, originOf } from '../security/asked-at.ts';
import type { Authenticator } from '../security/identity/authenticator.ts';
import {
  createProject,
  createWorkspace,
  getProject,
  getWorkspace,
  inviteMember,
  listMembers,
  listProjects,
  removeMember,
  updateMember,
  updateProject,
  updateWorkspace,
} from './tenancy.ts';

/** @param options.tls whether the server itself speaks TLS. */
export function tenancyRoutes(options: { authenticator: Authenticator; tls: boolean }): Route[] {
  const { authenticator, tls } = options;
  return [
    route(contract.getWorkspace, (context) => getWorkspace(context)),
    route(contract.updateWorkspace, (context, { body }) => updateWorkspace(context, body)),
    route(contract.createWorkspace, (context, { body }) => createWorkspace(context, authenticator, body)),
    route(contract.listMembers, (context) => listMembers(context)),
    route(contract.inviteMember, (context, { body }, exchange) =>
      inviteMember(context, { ...body, origin: originOf(askedAt(exchange.requestHeader, tls)) }),
    ),
    route(contract.updateMember, (context, { userId, body }) =>
      updateMember(context, authenticator, { userId, ...body }),
    ),
    route(contract.removeMember, (context, input) => removeMember(context, authenticator, input)),
    route(projectContract.listProjects, (context, input) => listProjects(context, input)),
    route(projectContract.createProject, (context, { body }) => createProject(context, body)),
    route(projectContract.getProject, (context, input) => getProject(context, input)),
    route(projectContract.updateProject, (context, { projectId, body }) =>
      updateProject(context, { projectId, ...body }),
    ),
  ];
}
