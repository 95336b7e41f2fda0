// Package call calls the apps of live runners, which orchestrators ask payment for by HTTP
// status 402.
//
// A Caller sends a request, reads the Challenge in the answer, holds it to the user's Terms, has
// a Purse pay it and sends the request again with the payment. A single call is paid once. A
// session is paid until it ends: package live computes what is due, as in a remote signer.
//
// The order of calls keeps money safe: a payment is checked, recorded by the Purse and signed;
// then it is marked as sent, and only then it leaves. A payment that has a record is never made a
// second time: a later run with the same request ID finds and continues it.
package call
