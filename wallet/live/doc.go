// Package live has the accounting of live sessions: work that is paid for while it lasts. A
// remote signer and a client that pays by itself both reckon with it.
//
// A Request asks for one payment. Request.Bill applies the protocol's rules to it and to the
// Session so far: units since the last payment, their fee at the session's first price, the
// tickets that cover it, and the balance that remains. Session.Next is the session after that
// payment, and Order.Sign signs the payment together with the session.
//
// Amounts are exact fractions of a wei. The package reads no clock, no network and no store:
// what it is given decides what it returns.
//
// An error that ends a request is a Refusal, which has the protocol's status and words.
package live
