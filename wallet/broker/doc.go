// Package broker reads what the TicketBroker contract does: the events in its receipts,
// and whether a sender's deposit and reserve are locked.
package broker
