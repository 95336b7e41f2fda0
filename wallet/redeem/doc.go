// Package redeem redeems winning tickets: the contract pays them to their recipient.
//
// The order of calls is always the same:
//
//  1. Draw finds the winning tickets of a batch. It needs the recipient's number behind the
//     batch's recipientRandHash, and no network.
//  2. Tickets.Judge asks the chain which of them it would pay, how much, and whether that is
//     worth the gas.
//  3. Tickets.Call returns the transaction for the rest.
//  4. Tickets.Settle reads the result of each ticket from the receipt: in a batch, the
//     contract silently passes over tickets that it does not pay.
//
// Any account may send the redemption and pay the gas; the contract pays the recipient.
package redeem
