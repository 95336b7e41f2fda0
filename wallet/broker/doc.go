// Package broker is what there is to know of the TicketBroker contract: its calls, as they
// are sent and as they are read again before they are signed; its events; the deposit and
// the reserve that it keeps for a sender, and whether these are locked; and what shows that
// a transaction funded what it was to fund. It asks no node.
package broker
