// What an IP address is: public, of this machine, or something between. By ipaddr.js, which knows the special
// ranges of IANA's registries (RFC 6890 and after) and every way to write an address down.
import ipaddr from 'ipaddr.js';

/** The virtual server of Azure that hands out credentials; it has a public address. */
const publicMetadataServers = new Set(['168.63.129.16']);

/**
 * Whether an address is one of the public internet: unicast and of no special use. IPv4 inside IPv6 (mapped) is
 * judged as IPv4; ways to reach IPv4 through IPv6 (6to4, NAT64, Teredo, ISATAP, the old ::/96) are not public.
 */
export function isPublicAddress(text: string): boolean {
  const address = parse(text);
  if (address === undefined || address.range() !== 'unicast') return false;
  if (isIPv4(address)) return !publicMetadataServers.has(address.toString());
  // IANA has given out 2000::/3 alone; ISATAP (RFC 5214) has 0:5efe or 200:5efe before an IPv4 address.
  const [first, , , , fifth, sixth] = address.parts;
  const isGlobal = (first! & 0xe000) === 0x2000;
  const isIsatap = (fifth === 0 || fifth === 0x200) && sixth === 0x5efe;
  return isGlobal && !isIsatap;
}

/** Whether two texts name one address. */
export function isSameAddress(one: string, other: string): boolean {
  const address = parse(one);
  return address !== undefined && address.toString() === parse(other)?.toString();
}

/** Whether an address (brackets allowed) is of this machine alone. Short forms such as `127.1` do not count. */
export function isLoopbackAddress(text: string): boolean {
  return parse(text.replace(/^\[(.*)\]$/, '$1'))?.range() === 'loopback';
}

/** The network that one client has: an IPv4 address itself, the first 64 bits of an IPv6 address. */
export function clientNetwork(text: string): string {
  const address = parse(text);
  if (address === undefined) return 'unknown';
  return isIPv4(address) ? address.toString() : address.parts.slice(0, 4).join(':');
}

function parse(text: string): ipaddr.IPv4 | ipaddr.IPv6 | undefined {
  // An address with a zone (fe80::1%eth0) belongs to a link and is never asked for; octal and short IPv4 are refused.
  if (text.includes('%')) return undefined;
  if (ipaddr.IPv4.isValidFourPartDecimal(text)) return ipaddr.IPv4.parse(text);
  return ipaddr.IPv6.isValid(text) ? ipaddr.process(text) : undefined;
}

function isIPv4(address: ipaddr.IPv4 | ipaddr.IPv6): address is ipaddr.IPv4 {
  return address.kind() === 'ipv4';
}
