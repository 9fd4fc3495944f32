// What part of the map is seen, and how large.

export interface Camera {
  /// Of the upper left corner, in the map's units.
  x: number;
  y: number;
  scale: number;
}

export const minScale = 0.15;
export const maxScale = 2;

export function zoomed(camera: Camera, factor: number, atX: number, atY: number): Camera {
  const scale = Math.max(minScale, Math.min(maxScale, camera.scale * factor));
  // The point under the pointer stays where it is.
  return {
    scale,
    x: camera.x + atX / camera.scale - atX / scale,
    y: camera.y + atY / camera.scale - atY / scale,
  };
}

export function fitted(width: number, height: number, screenWidth: number, screenHeight: number, least = minScale): Camera {
  const margin = Math.min(40, screenWidth / 20);
  const wanted = Math.min((screenWidth - 2 * margin) / width, (screenHeight - 2 * margin) / height, 1.2);
  const scale = Math.max(least, wanted);
  // What does not fit begins at its corner.
  const start = (screen: number, size: number) =>
    size * scale > screen - 2 * margin ? -margin / scale : -(screen / scale - size) / 2;
  return { scale, x: start(screenWidth, width), y: start(screenHeight, height) };
}
