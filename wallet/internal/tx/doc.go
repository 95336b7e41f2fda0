// Package tx sends transactions: Prepare simulates the call, prices it and checks that the
// account can pay; a Manager's Submit signs it, journals it and sends it to the node; Await
// returns once it is mined. They are separate, so that a caller can show the price before it
// signs, and need not wait.
package tx
