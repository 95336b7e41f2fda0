// Package wire has the messages that senders and recipients exchange, the headers that carry
// them, and the one strict converter between them and package pm: every width is checked here,
// once.
//
// The protobuf package name is pmctl's own, so that these types can be in one binary with the
// network's; field numbers and the service's name are the network's. Parts that a sender only
// passes on, such as capabilities, are bytes, and unknown fields survive a round trip.
package wire
