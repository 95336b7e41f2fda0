// Package tx sends transactions: Prepare simulates the call, prices it and checks
// that the account can pay; Send signs and hands it to the node; Wait returns when it
// is mined. Each is an act of its own, so that a caller can show the price before it
// signs, and end before the transaction is mined.
package tx
