// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {Controller} from "./Controller.sol";

/// @title Managed
/// @notice What every contract of the system shares: it knows the controller, finds
/// the others there by name, and stands still while the system is paused.
/// @dev The controller is immutable, so it takes no storage: code that runs behind
/// a ManagerProxy finds it all the same.
abstract contract Managed {
    Controller public immutable controller;

    modifier whenSystemNotPaused() {
        require(!controller.paused(), "system is paused");
        _;
    }

    modifier onlyControllerOwner() {
        require(msg.sender == controller.owner(), "caller is not the controller owner");
        _;
    }

    constructor(Controller _controller) {
        controller = _controller;
    }

    function registered(string memory _name) internal view returns (address) {
        return controller.getContract(keccak256(bytes(_name)));
    }
}
