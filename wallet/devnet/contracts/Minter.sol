// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {Controller} from "./Controller.sol";
import {Managed} from "./Managed.sol";

/// @title Minter
/// @notice The purse: it holds the ETH of all deposits and reserves. The broker,
/// which it knows under the name JobsManager, pays in and asks for payments out.
contract Minter is Managed {
    modifier onlyMinterOrJobsManager() {
        require(
            msg.sender == registered("Minter") || msg.sender == registered("JobsManager"),
            "msg.sender not Minter or JobsManager"
        );
        _;
    }

    constructor(Controller _controller) Managed(_controller) {}

    function depositETH() external payable onlyMinterOrJobsManager returns (bool) {
        return true;
    }

    /// @notice Pays with the 2300 gas of a plain transfer: a recipient whose code
    /// needs more makes the payment fail.
    function trustedWithdrawETH(address payable _to, uint256 _amount)
        external
        whenSystemNotPaused
        onlyMinterOrJobsManager
    {
        _to.transfer(_amount);
    }
}
