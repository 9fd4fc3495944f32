int in_no_room;  // refused: is in no room
