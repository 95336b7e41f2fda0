// Package redeem has the contract pay winning tickets to their recipient.
//
// The order of calls is always the same:
//
//  1. Draw tells which tickets of a batch won. It needs the recipient's number that
//     the batch's recipientRandHash commits to, and no network.
//  2. Tickets.Judge asks the chain which of them it would pay, how much, and whether
//     that is worth the gas.
//  3. Tickets.Call is the transaction for those that are left.
//  4. Tickets.Settle reads from its receipt the result of each: in a batch the
//     contract skips what it does not pay, without an event.
//
// Any account may redeem: the recipient is paid, and the transaction's sender pays the gas.
package redeem
