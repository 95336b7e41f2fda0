// Package broker encodes and decodes what belongs to the TicketBroker contract: calls, before
// they are sent and before they are signed; events; a sender's deposit and reserve, and whether
// they are locked; and the proof that a transaction funded what it should. It asks no node.
package broker
