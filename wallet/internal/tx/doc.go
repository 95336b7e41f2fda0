// Package tx sends transactions: Prepare simulates the call, prices it and checks that the
// account can pay; a Manager's Submit signs it, keeps it in the journal and hands it to the
// node; Await returns when it is mined. Each is an act of its own, so that a caller can show
// the price before it signs, and end before the transaction is mined.
package tx
