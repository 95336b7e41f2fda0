// Package wire has the messages that senders and recipients exchange, the headers
// that carry them, and the one strict converter between them and package pm: every
// width is checked here, once.
//
// The protobuf package is our own, so that these types live in one binary with the
// network's; field numbers and the service's name are the network's. What a sender
// only carries, such as capabilities, are bytes, and fields that are not known here
// survive a round trip.
package wire
